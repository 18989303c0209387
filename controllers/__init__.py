from . import refusal_link
