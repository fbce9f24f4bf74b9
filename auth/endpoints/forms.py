"""Forms that clients post: read once, each name once, and nothing from the address.

RFC 6749 §3.2: parameters stand in the body and none is sent twice. A token in an address would be
in logs (T20).
"""

from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import Request
from werkzeug.exceptions import HTTPException

_LARGEST = 128 * 1024
_FORM = "application/x-www-form-urlencoded"


class FormRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request as Authlib's grants see it."""

    def __init__(self, method: str, headers: Any, form: dict[str, str]) -> None:
        # Whether TLS is in front of us is a setting of the operator, which no request tells.
        super().__init__(method, "https://localhost/", headers=headers)
        self.payload = BasicOAuth2Payload(form)
        self._form = form

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters."""
        return self._form


def read_form(request: Request) -> FormRequest:
    """Read the form of a request. Raises InvalidRequestError."""
    if request.query_string:
        raise InvalidRequestError("Send parameters in the body, none in the address.")
    if request.mimetype != _FORM:
        raise InvalidRequestError(f"Send a form: {_FORM}.")
    request.max_content_length = _LARGEST
    try:
        sent = request.form
    except HTTPException:
        raise InvalidRequestError("The form can't be read, or is too large.") from None
    if any(len(values) > 1 for _, values in sent.lists()):
        raise InvalidRequestError("Send each parameter once.")
    # A parameter without a value is treated as if it were left out (RFC 6749 §3.2).
    form = {name: value for name, value in sent.items() if value}
    return FormRequest(request.method, request.headers, form)
