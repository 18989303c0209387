from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
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

    def price_of(self, number, **known):
        """Return the price of one segment to a number."""
        row = {"number": number, "body": "x", "purpose": "service", "segment_count": 1}
        return self.account._get_pricing().sum_cost([row | known])

    # --- prices ---------------------------------------------------------------------

    def test_without_tariffs_a_segment_is_a_credit(self):
        self.assertEqual(self.price_of("+79214563763"), 1.0)

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
                self.assertEqual(self.price_of(number), price)

    def test_free_numbers_are_free(self):
        self.add(p7921=0.0)
        self.assertEqual(self.price_of("+79214563763"), 0.0)

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

    # --- operator, kind, sender, days -----------------------------------------------

    def add_range(self, operator, code="921", **values):
        return self.env["sms.devino.range"].create(
            {
                "code": code,
                "first": "0000000",
                "last": "9999999",
                "operator": operator,
                **values,
            }
        )

    def add_one(self, price, **values):
        values |= {"account_id": self.account.id, "price": price}
        return self.env["sms.devino.tariff"].create(values)

    def test_tariff_of_the_operator_counts_before_every_beginning(self):
        self.add_range("MegaFon")
        self.add_range("MTS", "910")
        self.add(p7=2.0, p7921=2.1)
        self.add_one(3.0, operator=" MegaFon ")
        self.add_one(4.0, operator="MegaFon", prefix="79214")
        self.assertEqual(self.price_of("+79214563763"), 4.0)
        self.assertEqual(self.price_of("+79217563763"), 3.0)
        self.assertEqual(self.price_of("+79107563763"), 2.0)

    def test_operator_without_a_range_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "no number range"):
            self.add_one(3.0, operator="Nobody")

    def test_kind_of_traffic_follows_from_the_purpose(self):
        self.add(p7=2.0)
        self.add_one(5.0, kind="advertising", prefix="7")
        for purpose, price in (("service", 2), ("debt", 2), ("advertising", 5)):
            with self.subTest(purpose):
                self.assertEqual(self.price_of("+79214563763", purpose=purpose), price)

    def test_sender_name_counts_before_the_kind_and_both_before_one(self):
        senders = self.env["sms.devino.sender"]
        shop = senders.create({"account_id": self.account.id, "name": "Shop"})
        self.add_one(1.1, prefix="7")
        self.add_one(1.2, prefix="7", kind="service")
        self.add_one(1.3, prefix="7", sender_id=shop.id)
        number = "+79214563763"
        self.assertEqual(self.price_of(number, sender_name="Other"), 1.2)
        self.assertEqual(self.price_of(number, sender_name="Shop"), 1.3)
        self.add_one(1.4, prefix="7", sender_id=shop.id, kind="service")
        self.assertEqual(self.price_of(number, sender_name="Shop"), 1.4)
        self.add_one(1.5, prefix="79")
        self.assertEqual(self.price_of(number, sender_name="Shop"), 1.5)

    def test_price_is_that_of_the_day_when_the_message_leaves(self):
        now = fields.Datetime.now()
        today = now.date()
        self.add_one(1.0, prefix="7")
        self.add_one(2.0, prefix="7", date_from=today + timedelta(days=10))
        ends = today + timedelta(days=30)
        begins = today + timedelta(days=20)
        self.add_one(3.0, prefix="7", date_from=begins, date_to=ends)
        for days, price in ((0, 1), (12, 2), (22, 3), (40, 2)):
            with self.subTest(days):
                at = now + timedelta(days=days)
                found = self.price_of("+79214563763", scheduled_at=at)
                self.assertEqual(found, price)

    def test_message_keeps_operator_and_kind_that_it_was_priced_by(self):
        self.add_range("MegaFon")
        self.add_one(3.0, operator="MegaFon", kind="advertising")
        self.env["sms.devino.sender"].create(
            {"account_id": self.account.id, "name": "Shop"}
        )
        message = self.env["sms.devino.message"].enqueue(
            "79214563763", "Sale", account=self.account, purpose="advertising"
        )
        known = (message.operator, message.price_kind, message.cost_estimated)
        self.assertEqual(known, ("MegaFon", "advertising", 3.0))

    def test_tariff_says_for_what_it_holds_and_its_days_are_in_order(self):
        with mute_logger("odoo.sql_db"):
            for values in (
                {},
                {"prefix": "7", "date_from": "2026-02-02", "date_to": "2026-02-01"},
            ):
                with self.assertRaises(IntegrityError), self.env.cr.savepoint():
                    self.add_one(1.0, **values)

    def test_sender_name_of_another_account_is_refused(self):
        other = self.account.copy({"name": "Other"})
        sender = self.env["sms.devino.sender"].create(
            {"account_id": other.id, "name": "Other"}
        )
        with self.assertRaisesRegex(ValidationError, "another account"):
            self.add_one(1.0, sender_id=sender.id)

    def test_many_messages_are_priced_without_a_query_each(self):
        self.add_range("MegaFon")
        self.add_one(3.0, operator="MegaFon")
        self.add(p7=2.0)
        pricing = self.account._get_pricing()
        shared = {"body": "x", "purpose": "service", "segment_count": 1}
        rows = [shared | {"number": f"+7{921_000_0000 + n}"} for n in range(2000)]
        self.env.flush_all()
        # the number ranges, and the operator templates of the account
        with self.assertQueryCount(2):
            cost = pricing.sum_cost(rows)
        self.assertEqual(cost, 6000)

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
        self.assertEqual(self.price_of("+79214563763"), 1.0)
        tariff = self.add(p7921=3.5)
        self.assertEqual(self.price_of("+79214563763"), 3.5)
        tariff.price = 4
        self.assertEqual(self.price_of("+79214563763"), 4)
        tariff.unlink()
        self.account.price_per_segment = 2
        self.assertEqual(self.price_of("+79214563763"), 2)

    @mute_logger("odoo.sql_db")
    def test_one_tariff_for_the_same_digits(self):
        self.add(p7921=1.0)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.add(p7921=2.0)
