from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_reference_fields_generic(
        self, referenced_model, src_records, dst_record, additional_update_records=None
    ):
        """Let messages follow the document that they come from."""
        messages = self.env["sms.devino.message"].sudo()
        messages = messages.search(
            [("res_model", "=", referenced_model), ("res_id", "in", src_records.ids)]
        )
        messages.write({"res_id": dst_record.id})
        return super()._update_reference_fields_generic(
            referenced_model,
            src_records,
            dst_record,
            additional_update_records=additional_update_records,
        )
