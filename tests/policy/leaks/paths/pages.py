"""Answers of several pages, and questions asked in every manner in which they can be sent."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.client import Client
from tests.policy.leaks.disclosing import Resource, body_of

MANNERS = ("GET", "POST", "batch", "transaction")


def ask(client: Client, request: str, manner: str = "GET") -> tuple[int, Resource]:
    """Return status and body of a search; what an entry says stands for the whole answer."""
    if manner == "GET":
        return _answered(client.get(request))
    path, _, query = request.partition("?")
    if manner == "POST":
        form = "application/x-www-form-urlencoded"
        sent = client.request("POST", f"{path}/_search".lstrip("/"), query, content_type=form)
        return _answered(sent)
    entry = {"request": {"method": "GET", "url": request}}
    status, body = _answered(
        client.post("", {"resourceType": "Bundle", "type": manner, "entry": [entry]})
    )
    if status != 200:
        return status, body
    [answer] = body["entry"]
    told = answer["response"]
    return int(told["status"][:3]), answer.get("resource") or told.get("outcome") or {}


def pages(
    client: Client, request: str, *, manner: str = "GET", most: int = 50
) -> Iterator[Resource]:
    """Yield each page of an answer; nothing where it is refused."""
    status, body = ask(client, request, manner)
    for _ in range(most):
        if status != 200:
            return
        yield body
        link = next_of(body)
        if link is None:
            return
        status, body = _answered(client.get(link))
    raise AssertionError(f"more than {most} pages of {request}")


def next_of(bundle: Resource) -> str | None:
    """Return the address of the next page, as a path."""
    for link in bundle.get("link", ()):
        if link["relation"] == "next":
            parts = urlsplit(link["url"])
            return f"{parts.path}?{parts.query}"
    return None


def _answered(response: Any) -> tuple[int, Resource]:
    return response.status_code, body_of(response)
