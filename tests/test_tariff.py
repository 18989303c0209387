from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tests.common import TransactionCase
from odoo.tools import mute_logger


@tagged("post_install", "-at_install", "sms_devino")
class TestTariff(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.env["res.users"].create(
            {
                "name": "Responsible",
                "login": "sms_tariff",
                "email": "r@example.com",
                "group_ids": [(4, cls.env.ref("sms_devino.group_user").id)],
            }
        )
        cls.account = cls.env["sms.devino.account"].create(
            {
                "name": "Tariffs",
                "mode": "test",
                "country_id": cls.env.ref("base.ru").id,
                "responsible_id": cls.user.id,
            }
        )

    def add(self, **prices):
        return self.env["sms.devino.tariff"].create(
            [
                {
                    "account_id": self.account.id,
                    "prefix": prefix.removeprefix("p"),
                    "price": price,
                }
                for prefix, price in prices.items()
            ]
        )

    # --- prices ---------------------------------------------------------------------

    def test_without_tariffs_a_segment_is_a_credit(self):
        self.assertEqual(self.account._find_price("+79214563763"), 1.0)

    def test_longest_beginning_counts(self):
        self.add(p7=2.0, p79=2.5, p7921=3.5, p375=9.0)
        for number, price in (
            ("+79214563763", 3.5),
            ("+79104563763", 2.5),
            ("+74951234567", 2.0),
            ("+375291234567", 9.0),
            ("+491511234567", 1.0),
            (None, 1.0),
        ):
            with self.subTest(number):
                self.assertEqual(self.account._find_price(number), price)

    def test_free_numbers_are_free(self):
        self.add(p7921=0.0)
        self.assertEqual(self.account._find_price("+79214563763"), 0.0)

    def test_price_of_a_message_in_the_journal_is_that_of_its_number(self):
        self.add(p7921=3.5)
        self.env["sms.devino.sender"].create(
            {"account_id": self.account.id, "name": "Shop"}
        )
        message = self.env["sms.devino.message"].enqueue(
            "8 921 456-37-63", "Ы" * 71, account=self.account
        )
        self.assertEqual(message.cost_estimated, 7.0)

    def test_prefix_is_taken_as_people_write_it(self):
        tariff = self.add(**{"p+7 (921)": 1.0})
        self.assertEqual(tariff.prefix, "7921")
        tariff.prefix = "+7 910"
        self.assertEqual(tariff.prefix, "7910")

    def test_wrong_prefixes_are_refused(self):
        for prefix in ("abc", "+", "7921x", "1" * 16):
            with self.subTest(prefix), self.assertRaises(ValidationError):
                self.add(**{f"p{prefix}": 1.0})

    def test_tariffs_go_out_and_come_in_by_odoo_itself(self):
        self.add(p7=2.0, p7921=3.5)
        fields = ["id", "prefix", "price", "account_id/id"]
        rows = self.account.tariff_ids.export_data(fields)["datas"]
        self.account.tariff_ids.filtered(lambda t: t.prefix == "7").price = 5
        rows.append(["", "7910", "4.5", rows[0][3]])
        result = self.env["sms.devino.tariff"].load(
            fields, [[str(cell) for cell in row] for row in rows]
        )
        self.assertFalse(result["messages"])
        self.account.invalidate_recordset()
        prices = {t.prefix: t.price for t in self.account.tariff_ids}
        self.assertEqual(prices, {"7": 2.0, "7921": 3.5, "7910": 4.5})

    # --- low balance ----------------------------------------------------------------

    def told(self):
        """Return how many activities there are about a low balance, and how many
        e-mails Odoo has sent about activities."""
        activities = self.account.activity_ids
        self.assertLessEqual(set(activities.user_id), {self.user})
        notices = self.env["mail.message"].search(
            [
                ("model", "=", self.account._name),
                ("res_id", "=", self.account.id),
                ("partner_ids", "in", self.user.partner_id.ids),
            ]
        )
        return len(activities), len(notices)

    def set_balance(self, balance):
        self.account._note_balance(balance)

    def test_fall_below_the_threshold_is_told_once(self):
        self.account.low_balance = 100
        self.set_balance(150)
        self.assertEqual(self.told(), (0, 0))
        self.set_balance(99)
        self.assertEqual(self.told(), (1, 1))
        self.set_balance(50)
        self.assertEqual(self.told(), (1, 1))

    def test_second_fall_is_told_again(self):
        self.account.low_balance = 100
        self.set_balance(50)
        self.set_balance(100)
        self.assertEqual(self.told(), (0, 1))
        self.set_balance(99.99)
        self.assertEqual(self.told(), (1, 2))

    def test_without_a_threshold_nobody_is_told(self):
        self.set_balance(0)
        self.assertEqual(self.told(), (0, 0))

    def test_threshold_that_is_raised_is_looked_at(self):
        self.set_balance(50)
        self.account.low_balance = 60
        self.assertEqual(self.told(), (1, 1))

    def test_name_of_an_account_is_no_markup(self):
        self.account.name = "<b>Bold</b>"
        self.account.low_balance = 100
        self.set_balance(1)
        self.assertIn("&lt;b&gt;Bold", self.account.activity_ids.note)

    def test_changed_prices_count_at_once(self):
        self.assertEqual(self.account._find_price("+79214563763"), 1.0)
        tariff = self.add(p7921=3.5)
        self.assertEqual(self.account._find_price("+79214563763"), 3.5)
        tariff.price = 4
        self.assertEqual(self.account._find_price("+79214563763"), 4)
        tariff.unlink()
        self.account.price_per_segment = 2
        self.assertEqual(self.account._find_price("+79214563763"), 2)

    @mute_logger("odoo.sql_db")
    def test_one_tariff_for_the_same_digits(self):
        self.add(p7921=1.0)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.add(p7921=2.0)
