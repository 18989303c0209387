import { Component, onWillStart, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getCustomColor } from "@web/core/colors/colors";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { FirstSteps } from "../steps/first_steps";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** Milliseconds between two looks. */
const PAUSE = 20000;
const COLORS = { delivered: "#28a745", undelivered: "#dc3545", other: "#adb5bd" };

/** The first page of the app: what needs a person, the money, and what was sent. */
export class SmsOverview extends Component {
    static template = "sms_devino.Overview";
    static components = { FirstSteps, Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.canvas = useRef("canvas");
        this.state = useState({ data: null });
        onWillStart(async () => {
            await Promise.all([this.load(), loadBundle("web.chartjs_lib")]);
        });
        useEffect(
            () => this.draw(),
            () => [this.state.data]
        );
        this.timer = setInterval(() => this.follow(), PAUSE);
        onWillUnmount(() => {
            clearInterval(this.timer);
            this.chart?.destroy();
        });
    }

    get display() {
        return { controlPanel: {} };
    }

    get hasChart() {
        const { delivered, undelivered, other } = this.state.data.chart;
        return [...delivered, ...undelivered, ...other].some(Boolean);
    }

    async load() {
        this.state.data = await this.orm.silent.call("sms.devino.day", "get_overview", [[]]);
    }

    /** Opening the page has the sums brought up to date: show them when they are. */
    async follow() {
        if (!document.hidden) {
            await this.load();
        }
    }

    open(action) {
        if (action) {
            this.action.doAction(action);
        }
    }

    draw() {
        this.chart?.destroy();
        if (!this.canvas.el) {
            return;
        }
        const { labels, ...sets } = this.state.data.chart;
        const names = this.state.data.chart_names;
        const scheme = cookie.get("color_scheme");
        const color = getCustomColor(scheme, "#111827", "#e4e4e4");
        const grid = getCustomColor(scheme, "rgba(0,0,0,.1)", "rgba(255,255,255,.15)");
        this.chart = new Chart(this.canvas.el, {
            type: "bar",
            data: {
                labels,
                datasets: Object.entries(COLORS).map(([key, color]) => ({
                    label: names[key],
                    data: sets[key],
                    backgroundColor: color,
                })),
            },
            options: {
                maintainAspectRatio: false,
                animation: false,
                plugins: { legend: { position: "bottom", labels: { color } } },
                scales: {
                    x: { stacked: true, grid: { display: false }, ticks: { color } },
                    y: {
                        stacked: true,
                        beginAtZero: true,
                        grid: { color: grid },
                        ticks: { precision: 0, color },
                    },
                },
            },
        });
    }
}

registry.category("actions").add("sms_devino_overview", SmsOverview);
