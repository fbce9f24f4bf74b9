"""Who sends a request: the token in its Authorization header, and the proof of a key beside it.

RFC 6750 (Bearer) and RFC 9449 (DPoP). A token that is bound to a key is good for nothing without a
proof of it, and one for another server is none here. Tokens are taken from the header only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auth import ending, tokens
from auth.jose.dpop import ALGORITHMS, InvalidProof, NonceNeeded, OtherKey, check_proof
from auth.principal import Principal
from auth.tokens import Found
from ehr.access.callers.asking import token_in_force
from ehr.audit.telling.requests import of_stranger
from ehr.errors import Unauthenticated
from ehr.interactions.access.recognising import asking
from ehr.rest.standings import Standings

if TYPE_CHECKING:
    from auth.surroundings import Surroundings
    from ehr.record import Record

_REALM = 'Bearer realm="fhir"'
_DPOP = f'DPoP algs="{" ".join(ALGORITHMS)}"'
_WITHOUT_BODY = ("GET", "HEAD")
_SCHEMES = ("bearer", "dpop")
_HOW = (
    "Apps get one by OAuth, as /.well-known/smart-configuration below the base says; for a system "
    "`ehr token create` makes it, on the machine of the record."
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request says of its sender; `path` is that below the base, as it was sent."""

    scheme: str
    token: str
    proof: str = ""
    method: str = "GET"
    path: str = ""


Authenticate = Callable[[Sent], Principal | None]


def principal_of(authenticate: Authenticate, environ: Mapping[str, Any], path: str) -> Principal:
    """Return who sends a request. Raises Unauthenticated, with what to do about it."""
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() not in _SCHEMES or not token.strip():
        raise Unauthenticated(
            f"Say who you are: send Authorization: Bearer with a token. {_HOW}",
            headers=(("WWW-Authenticate", _REALM),),
        )
    sent = Sent(
        scheme.lower(),
        token.strip(),
        environ.get("HTTP_DPOP", ""),
        environ.get("REQUEST_METHOD", "GET").upper(),
        path,
    )
    principal = authenticate(sent)
    if principal is None:
        challenge = f'{_REALM}, error="invalid_token"'
        raise Unauthenticated(
            f"The token is unknown, expired or revoked. Get a new one. {_HOW}",
            headers=(("WWW-Authenticate", challenge),),
        )
    return principal


class Callers:
    """Who the tokens of one record stand for."""

    def __init__(self, record: "Record", surroundings: "Surroundings") -> None:
        self._record, self._surroundings = record, surroundings
        self._cache = tokens.TokenCache(token_in_force)
        self._with_caller = asking(record)
        self._standings = Standings(surroundings)

    def find(self, sent: Sent) -> Principal | None:
        """Return who a token stands for that is in force, for this server, and proven.

        Of a token that was good once, or is another's, its refusal is audited.
        """
        try:
            principal = self._found(sent)
        except _NewNonce:
            raise
        except Unauthenticated:
            self._refused(sent)
            raise
        if principal is None:
            self._refused(sent)
        return principal

    def _found(self, sent: Sent) -> Principal | None:
        # Now and then for each caller: what can be searched by may have changed.
        self._record.definitions.refresh_if_old()
        ask = self._with_caller if sent.method in _WITHOUT_BODY else None
        with self._record.database.read() as connection:
            now = self._record.clock()
            looked = self._cache.look(connection, sent.token, now=now, in_force=ask)
        if looked is None or not self._is_for_here(looked[0]):
            return None
        found, known = looked
        principal = found.principal
        if principal.person and self._standings.is_over(principal.person, known.version, now):
            self._end(found)
            return None
        if found.jkt is not None or sent.scheme == "dpop":
            self._check_key(sent, found)
        return principal if known.called is None else principal.as_called(known.called)

    def _refused(self, sent: Sent) -> None:
        with self._record.database.read() as connection:
            known = tokens.known(connection, sent.token)
        if known is not None:
            at = self._record.clock()
            self._record.trail.record(
                [of_stranger(known.principal, at, f"{sent.method} {sent.path}")]
            )

    def _end(self, found: Found) -> None:
        """End what was granted by who died, left, was merged or deleted: it does not come back."""
        grant, now = found.grant, self._record.clock()
        if grant is not None:
            self._record.database.write(
                lambda connection: ending.end(connection, grant, why="no longer allowed", now=now)
            )

    def _is_for_here(self, found: Found) -> bool:
        named = found.audience
        return named is None or named.rstrip("/") == self._surroundings.base.rstrip("/")

    def _check_key(self, sent: Sent, found: Found) -> None:
        if sent.scheme != "dpop" or found.jkt is None:
            bound = "is bound to a key: send Authorization: DPoP and a proof" if found.jkt else (
                "is not bound to a key: send Authorization: Bearer"
            )  # fmt: skip
            raise _unproven(f"The token {bound}.", "invalid_token")
        url = self._surroundings.base + sent.path
        try:
            check_proof(
                self._surroundings,
                sent.proof,
                method=sent.method,
                url=url,
                token=sent.token,
                bound_to=found.jkt,
            )
        except NonceNeeded as needed:
            raise _unproven(str(needed), "use_dpop_nonce", needed.nonce, _NewNonce) from None
        except OtherKey as fault:
            raise _unproven(str(fault), "invalid_token") from None
        except InvalidProof as fault:
            raise _unproven(str(fault), "invalid_dpop_proof") from None


class _NewNonce(Unauthenticated):
    """A proof is right but for its nonce: the app sends it again."""


def _unproven(
    text: str, error: str, nonce: str = "", kind: type[Unauthenticated] = Unauthenticated
) -> Unauthenticated:
    headers = [("WWW-Authenticate", f'{_DPOP}, error="{error}"')]
    if nonce:
        headers.append(("DPoP-Nonce", nonce))
    return kind(text, headers=headers)
