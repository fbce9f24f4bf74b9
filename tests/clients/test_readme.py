"""The README's own app by hand and its backend service, run as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey

from tests import signing_in
from tests.client import Client
from tests.clients.browsing import Person
from tests.clients.conftest import Site

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_service_of_the_page_reads_what_it_says(
    site: Site, client: Client, register: Callable[..., Any], tmp_path: Path
) -> None:
    [program] = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    client.update({"resourceType": "Patient", "id": "mary-murray", "birthDate": "1948-03-02"})
    key = ECKey.generate_key("P-384", {"kid": "demo", "alg": "ES384"})
    (tmp_path / "ehr-demo-key.json").write_text(
        json.dumps({"keys": [key.as_dict(private=True)]}), "utf-8"
    )
    register(
        id="demo-system",
        auth_method="private_key_jwt",
        scope="system/*.cruds",
        grant_types=("client_credentials",),
        redirect_uris=[],
        jwks={"keys": [key.as_dict(private=False)]},
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "FHIR": site.base},
        capture_output=True,
        text=True,
    )

    assert done.stdout == "system/Patient.rs 1948-03-02\n", done.stderr


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not here")
def test_the_app_by_hand_gets_its_token(
    site: Site, client: Client, register: Callable[..., Any]
) -> None:
    section = README.read_text("utf-8").partition("\n## Sign in, and let apps in")[2]
    steps = "".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))
    client.update({"resourceType": "Patient", "id": "mary-murray", "birthDate": "1948-03-02"})
    mary = signing_in.make_user(
        site.around, "patient", fhir_user="Patient/mary-murray", patients=["mary-murray"]
    )
    back = "http://127.0.0.1/callback"
    register(id="demo-app", redirect_uris=[back])

    with subprocess.Popen(
        ["bash", "-e"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "FHIR": site.base},
        text=True,
    ) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdin.write("{\n" + steps + "}\n")  # read whole, so that `read` waits for the code
        shell.stdin.flush()
        came = Person(mary).go(shell.stdout.readline().strip(), until=back)
        said, _ = shell.communicate(parse_qs(urlsplit(came).query)["code"][0] + "\n", timeout=60)

    granted, _, read = said.partition("\n")
    assert json.loads(granted)["patient"] == "mary-murray"
    assert json.loads(read)["birthDate"] == "1948-03-02"
