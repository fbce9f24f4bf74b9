"""Who is calling and what they may do. Never imports the record (`ehr`).

`init_app` puts sign-in, the pages and endpoints of OAuth into a Flask application.
"""

from typing import TYPE_CHECKING

MOUNT = "/auth"

if TYPE_CHECKING:
    from flask import Flask

    from auth.surroundings import Surroundings


def init_app(app: "Flask", surroundings: "Surroundings") -> None:
    """Register every endpoint of `auth` in an application."""
    from auth.server import blueprint

    app.register_blueprint(blueprint(surroundings))
