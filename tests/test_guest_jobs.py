from odoo.tests import tagged

from ..services.jobs import DISPATCH, job_problem
from .base_case import SmsCase


@tagged("post_install", "-at_install")
class TestJobs(SmsCase):
    """People switch off and delete scheduled actions and templates."""

    def job(self):
        return self.env.ref(DISPATCH, raise_if_not_found=False)

    def test_a_job_that_is_there_and_on_is_no_problem(self):
        self.assertFalse(job_problem(self.env_of("user")))

    def test_a_job_that_is_off_is_named_to_whoever_sends(self):
        self.job().active = False
        problem = job_problem(self.env_of("user"))
        self.assertIn("switched off", problem)
        self.assertIn(self.job().name, problem)

    def test_a_job_that_is_off_stands_in_a_mass_sending_and_the_overview(self):
        env = self.env_of("manager")
        batch = env["sms.devino.batch"].create({"account_id": self.account.id})
        self.assertFalse(batch.sending_problem)
        self.job().active = False
        batch.invalidate_recordset()
        self.assertIn("switched off", batch.sending_problem)
        lines = env["sms.devino.day"].get_overview()["attention"]
        self.assertIn("switched off", lines[0]["text"])

    def test_a_deleted_job_is_told_and_made_again_by_the_next_message(self):
        self.env.ref("sms_devino.ir_cron_watch_balance").interval_number = 7
        self.job().unlink()
        self.assertIn("deleted", job_problem(self.env_of("user")))
        message = self.enqueue()
        self.env.cr.precommit.run()
        self.assertEqual(message.state, "outgoing")
        self.assertTrue(self.job().active)
        self.assertTrue(
            self.env["ir.cron.trigger"].search([("cron_id", "=", self.job().id)])
        )
        self.assertFalse(job_problem(self.env_of("user")))
        other = self.env.ref("sms_devino.ir_cron_watch_balance")
        self.assertEqual(other.interval_number, 7, "what was there stays as it was")

    def test_a_deleted_job_is_made_again_where_an_account_goes_on(self):
        self.job().unlink()
        self.account._note_success()
        self.assertTrue(self.job().active)
