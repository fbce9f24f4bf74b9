"""Settings: what there are, what an environment says, and what must not be said together."""

from ehr.settings.described import DEVELOPMENT_SECRET as DEVELOPMENT_SECRET
from ehr.settings.described import SettingsError as SettingsError
from ehr.settings.limits import Limit as Limit
from ehr.settings.listed import SETTINGS as SETTINGS
from ehr.settings.listed import Settings as Settings
from ehr.settings.loading import load as load
from ehr.settings.reach import check_public as check_public
from ehr.settings.reach import own_base as own_base
from ehr.settings.reach import warning as warning
