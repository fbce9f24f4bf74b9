"""How we look, for apps that want to look alike (SMART App Launch 2.2, `smart_style_url`).

What stands at an address never changes: other colours get another address.
"""

import json

from flask import Blueprint, Response

_VERSION_1 = {
    "color_background": "#f0f4f5",
    "color_error": "#d5281b",
    "color_highlight": "#0a5566",
    "color_modal_backdrop": "#212b32",
    "color_success": "#007f3b",
    "color_text": "#212b32",
    "dim_border_radius": "4px",
    "dim_font_size": "16px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}
_A_YEAR = "public, max-age=31536000, immutable"


def open_style(routes: Blueprint) -> None:
    """Add the style to the routes of `auth`; scripts of any app may read it."""

    @routes.get("/style/v1.json")
    def style() -> Response:
        response = Response(json.dumps(_VERSION_1), content_type="application/json")
        response.headers["Cache-Control"] = _A_YEAR
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
