from odoo.tests import tagged

from .mass_case import MassCase

RULES = "/odoo/action-sms_devino.sms_devino_rule_action"


@tagged("post_install", "-at_install", "sms_devino")
class TestRuleTours(MassCase):
    """A rule in a real browser, run as the scheduled action does."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._remove_rules)
        with self.transaction() as env:
            manager = env["res.users"].browse(self.users["manager"])
            manager.group_ids += env.ref("stock.group_stock_user")
            partner = env["res.partner"].create(
                {"name": "Anna", "phone": "+79214500100", "lang": "en_US"}
            )
            product = env["product.product"].create({"name": "Tea", "type": "consu"})
            self.partner_id, self.product_id = partner.id, product.id

    def _remove_rules(self):
        with self.transaction() as env:
            rules = env["sms.devino.rule"].search([])
            rules.is_on = False
            rules.unlink()
            product = env["product.product"].browse(self.product_id)
            pickings = (
                env["stock.move"].search([("product_id", "=", product.id)]).picking_id
            )
            pickings.action_cancel()
            pickings.unlink()
            product.product_tmpl_id.unlink()
            env["res.partner"].browse(self.partner_id).unlink()

    def order(self, origin):
        """Commit an order that is ready for pick-up."""
        with self.transaction() as env:
            warehouse = env["stock.warehouse"].search(
                [("company_id", "=", env.company.id)], limit=1
            )
            places = {
                "location_id": warehouse.lot_stock_id.id,
                "location_dest_id": env.ref("stock.stock_location_customers").id,
            }
            move = {"product_id": self.product_id, "product_uom_qty": 1, **places}
            picking = env["stock.picking"].create(
                {
                    "picking_type_id": warehouse.out_type_id.id,
                    "partner_id": self.partner_id,
                    "origin": origin,
                    "move_ids": [(0, 0, move)],
                    **places,
                }
            )
            picking.action_confirm()
            self.assertEqual(picking.state, "assigned")

    def run_rules(self):
        """Do what the scheduled actions do."""
        with self.transaction() as env:
            env["sms.devino.rule"]._cron_run()
        self.dispatch()

    def texts(self):
        return [entry.text for entry in self.provider.ledger]

    def test_a_ready_rule_sends_once_and_not_to_what_was_there_before(self):
        self.order("S00017")
        self.start_tour(
            RULES, "sms_devino_rule_from_gallery", login=self.logins["manager"]
        )
        self.run_rules()
        self.assertEqual(self.texts(), [])
        self.order("S00018")
        for _run in range(2):
            self.run_rules()
            self.assertEqual(self.texts(), ["Your order S00018 is ready for pick-up."])
        with self.transaction() as env:
            rule = env["sms.devino.rule"].search([]).ensure_one()
        self.start_tour(
            f"{RULES}/{rule.id}",
            "sms_devino_rule_has_sent",
            login=self.logins["manager"],
        )
