# SPDX-License-Identifier: AGPL-3.0-or-later
"""The api behind TLS: what cookies, headers and the link itself look like then."""

import asyncio
import ssl
from collections.abc import Iterator
from http.cookies import SimpleCookie

import httpx
import pytest

from api.security.connections import TLS_1_2_SUITES
from api.security.headers import HSTS
from deploy.local.ports import LOOPBACK
from tests.fixtures.certificates import WEAK_SUITES, ServerCertificate, loopback_certificate
from tests.integration.api.world import SESSION_COOKIE, USERNAME, World, serving

PUBLIC_URL = "https://console.example"
HOST_COOKIE = f"__Host-{SESSION_COOKIE}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    """The certificate of the served api."""
    return loopback_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def over_tls(lasting_world: World, certificate: ServerCertificate) -> Iterator[World]:
    """The same world, served once more with a certificate."""
    lasting_world.forget()
    other = World(
        database_url=lasting_world.database_url,
        evidence_folder=lasting_world.evidence_folder,
        password=lasting_world.password,
    )
    with serving(other, tls=certificate):
        yield other


@pytest.fixture
def trusting(over_tls: World, certificate: ServerCertificate) -> Iterator[httpx.Client]:
    """A client that knows the certificate."""
    context = ssl.create_default_context(cafile=str(certificate.certificate_file))
    with httpx.Client(base_url=over_tls.api_url, verify=context) as client:
        yield client


def test_a_session_travels_in_a_cookie_that_no_neighbour_can_plant(
    over_tls: World, trusting: httpx.Client
) -> None:
    form = {"username": USERNAME, "password": over_tls.password}

    signed_in = trusting.post("/console/login", data=form)
    shown = trusting.get("/console/passages")
    token = trusting.cookies[HOST_COOKIE]
    trusting.cookies.clear()
    planted = trusting.get("/console/passages", headers={"Cookie": f"{SESSION_COOKIE}={token}"})

    cookie = SimpleCookie(signed_in.headers["set-cookie"])[HOST_COOKIE]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert shown.status_code == 200
    assert planted.status_code == 303  # the plain name, which a neighbour could set, is not read


@pytest.mark.parametrize("address", ["/console/passages?lang=en", "/public/dossiers?lang=en"])
def test_a_choice_is_remembered_in_such_a_cookie_too(
    over_tls: World, trusting: httpx.Client, address: str
) -> None:
    trusting.post("/console/login", data={"username": USERNAME, "password": over_tls.password})

    answer = trusting.get(address)

    names = list(SimpleCookie(answer.headers["set-cookie"]))
    assert names == ["__Host-luuthong_language"]


@pytest.mark.parametrize(
    "address", ["/console/login", "/public/dossiers", "/v1/health", "/v1/passages/search", "/x"]
)
def test_browsers_are_told_to_come_by_tls_only(trusting: httpx.Client, address: str) -> None:
    answer = trusting.get(address)

    assert answer.headers["strict-transport-security"] == HSTS
    assert "max-age=31536000" in HSTS
    assert "includeSubDomains" in HSTS


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_versions_of_tls_are_refused(over_tls: World) -> None:
    port = int(over_tls.api_url.rsplit(":", 1)[1])
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(LOOPBACK, port, ssl=old)
    old.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    _, newest = await asyncio.open_connection(LOOPBACK, port, ssl=old)
    spoken = newest.get_extra_info("ssl_object").version()
    newest.close()
    await newest.wait_closed()

    assert spoken == "TLSv1.3"


async def test_only_suites_with_forward_secrecy_and_authenticated_encryption_are_spoken(
    over_tls: World, certificate: ServerCertificate
) -> None:
    port = int(over_tls.api_url.rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=str(certificate.certificate_file))
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    _, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context)
    spoken, _, _ = writer.get_extra_info("cipher")
    writer.close()
    await writer.wait_closed()
    context.set_ciphers(WEAK_SUITES)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(LOOPBACK, port, ssl=context)

    assert spoken in TLS_1_2_SUITES


def test_whoever_comes_without_tls_is_forwarded_to_pages_and_refused_everywhere_else(
    lasting_world: World,
) -> None:
    behind_a_proxy = {"X-Forwarded-Proto": "https"}
    with (
        serving(lasting_world, https_only=True, console_url=PUBLIC_URL) as url,
        httpx.Client(base_url=url) as client,
    ):
        login = client.get("/console/login", params={"next": "/console/tolls"})
        citizen = client.get("/public/dossiers")
        refused = [
            client.post("/console/login", data={"username": USERNAME}),
            client.get("/v1/health"),
            client.get("/static/x.js"),
            client.get("/docs", headers={"Host": "elsewhere.example"}),
        ]
        metrics = client.get("/metrics")
        protected = client.get("/console/login", headers=behind_a_proxy)

    assert login.status_code == citizen.status_code == 308
    assert login.headers["location"] == f"{PUBLIC_URL}/console/login?next=%2Fconsole%2Ftolls"
    assert citizen.headers["location"] == f"{PUBLIC_URL}/public/dossiers"
    assert {answer.json()["code"] for answer in refused} == {"https-required"}
    assert not any("location" in answer.headers for answer in refused)
    assert metrics.status_code == protected.status_code == 200


async def test_a_client_that_does_not_know_the_certificate_sends_nothing(over_tls: World) -> None:
    async with httpx.AsyncClient() as stranger:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.get(f"{over_tls.api_url}/v1/health")
