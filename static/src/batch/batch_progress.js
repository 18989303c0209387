import { Component, onWillDestroy, useEffect, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** Milliseconds between two looks while something may still change. */
const PAUSE = 1000;
/** The colour of each group of the bar; the rest of the bar stays grey. */
const COLORS = {
    delivered: "bg-success",
    sent: "bg-info",
    unknown: "bg-warning",
    failed: "bg-danger",
    canceled: "bg-secondary",
    sending: "bg-primary",
};

/**
 * The state of a draft's calculation, then of the sending: a bar and counts by state
 * that move while somebody watches.
 */
export class BatchProgress extends Component {
    static template = "sms_devino.BatchProgress";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ progress: null });
        this.isGone = false;
        this.textBefore = null;
        this.triedRevision = null;
        this.keeper = setInterval(() => this.keepUp(), PAUSE);
        useEffect(
            () => {
                this.look();
                return () => clearTimeout(this.timer);
            },
            () => {
                const { resId, data } = this.props.record;
                return [resId, data.state, data.calculation];
            }
        );
        onWillDestroy(() => {
            this.isGone = true;
            clearInterval(this.keeper);
        });
    }

    /**
     * Save a small draft once typing has ended, and have it calculated: its cost is
     * seen without pressing anything.
     */
    async keepUp() {
        const { record } = this.props;
        if (this.isKeeping || document.hidden || !record.resId || record.data.state !== "draft") {
            return;
        }
        this.isKeeping = true;
        try {
            const typed = document.querySelector(".o_field_widget[name=body] textarea")?.value;
            // an input may be open, such as the choice of a list
            const isTyping =
                typed !== this.textBefore || document.activeElement?.tagName === "INPUT";
            this.textBefore = typed;
            if (!isTyping && (await record.isDirty()) && (await record.checkValidity())) {
                await record.save();
            }
            const { is_small, is_calculated, calculation, revision } = record.data;
            const isWaiting = ["none", "failed"].includes(calculation) && !is_calculated;
            if (!isTyping && is_small && isWaiting && revision !== this.triedRevision) {
                // asking for it makes a revision of its own
                this.triedRevision = revision + 1;
                await this.orm.silent.call(record.resModel, "action_calculate", [record.resId]);
                await record.load();
            }
        } finally {
            this.isKeeping = false;
        }
    }

    get isCalculating() {
        return ["queued", "running"].includes(this.state.progress?.calculation);
    }

    get groups() {
        return this.state.progress.groups.filter((group) => group.count);
    }

    colorOf(group) {
        return COLORS[group.key] || "bg-light border";
    }

    shareOf(group) {
        return (100 * group.count) / (this.state.progress.total || 1);
    }

    /** Ask for the state, now and every second as long as it may change. */
    async look() {
        clearTimeout(this.timer);
        const { record } = this.props;
        if (!record.resId) {
            this.state.progress = null;
            return;
        }
        try {
            const progress = await this.orm.silent.call(record.resModel, "get_progress", [
                record.resId,
            ]);
            await this.show(progress);
        } finally {
            if (!this.isGone && this.state.progress?.is_live !== false) {
                clearTimeout(this.timer);
                this.timer = setTimeout(() => this.look(), PAUSE);
            }
        }
    }

    async show(progress) {
        const before = this.state.progress;
        this.state.progress = progress;
        const { record } = this.props;
        const isNews =
            record.data.state !== progress.state ||
            record.data.calculation !== progress.calculation ||
            (before && (before.is_live !== progress.is_live || this.hasNewTrouble(before)));
        // the buttons and notices of the form follow, unless somebody is writing in it
        if (isNews && !this.isGone && !(await record.isDirty())) {
            await record.load();
        }
    }

    hasNewTrouble(before) {
        const failed = (progress) =>
            progress.groups.some((group) => group.key === "failed" && group.count);
        return !failed(before) && failed(this.state.progress);
    }
}

export const batchProgress = {
    component: BatchProgress,
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "calculation", type: "selection" },
        { name: "is_calculated", type: "boolean" },
        { name: "is_small", type: "boolean" },
        { name: "revision", type: "integer" },
    ],
};

registry.category("view_widgets").add("sms_devino_batch_progress", batchProgress);
