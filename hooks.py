"""What installing and uninstalling do beside loading the data files."""


def uninstall_hook(env):
    """Give Odoo's SMS back to whom they belonged before."""
    companies = env["res.company"].with_context(active_test=False).search([])
    companies.write({"sms_devino_account_id": False})
