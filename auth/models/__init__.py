"""Tables of `auth`, with a MetaData of their own; migrations compare it beside the record's."""

from auth.models.base import metadata as metadata
from auth.models.clients import client as client
from auth.models.clients import registration_ticket as registration_ticket
from auth.models.clients import used_jti as used_jti
from auth.models.grants import access_grant as access_grant
from auth.models.grants import access_token as access_token
from auth.models.grants import approval as approval
from auth.models.grants import authorization_code as authorization_code
from auth.models.grants import launch as launch
from auth.models.grants import pushed_request as pushed_request
from auth.models.grants import refresh_token as refresh_token
from auth.models.people import attempt as attempt
from auth.models.people import identity as identity
from auth.models.people import invitation as invitation
from auth.models.people import passkey as passkey
from auth.models.people import password as password
from auth.models.people import recovery_code as recovery_code
from auth.models.people import totp as totp
from auth.models.people import user_account as user_account
from auth.models.people import user_patient as user_patient
from auth.models.people import user_role as user_role
from auth.models.sessions import browser_session as browser_session
from auth.models.sessions import signing_key as signing_key
from auth.models.sessions import upstream_state as upstream_state
