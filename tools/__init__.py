"""Pure helpers: texts, phone numbers, spreadsheets. Nothing here imports odoo."""
