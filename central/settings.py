# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of the central processes; read once in the entry point and passed on."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from central.broker_settings import BrokerSettings, Port
from central.domain.times import LATE_AFTER, TimeLimits
from central.errors import SettingsError
from central.national_settings import NationalSettings
from central.retention_settings import RetentionSettings
from central.webhook_settings import WebhookSettings

ENV_PREFIX = "LUUTHONG_CENTRAL_"
SECRET_BYTES_MAX = 4096


class _Section(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class IngestSettings(_Section):
    """How events travel from the broker into the database."""

    batch_events_max: int = Field(
        default=1000,
        ge=1,
        le=10_000,
        description="Most messages in one commit. Higher: more throughput, more repeats "
        "after a crash, more memory.",
    )
    batch_wait: timedelta = Field(
        default=timedelta(milliseconds=50),
        ge=timedelta(0),
        le=timedelta(seconds=5),
        description="Longest wait for a batch to fill. Higher: fewer commits, later rows.",
    )
    in_flight_max: int = Field(
        default=4000,
        ge=20,
        le=65_535,
        description="Messages the broker may send unacknowledged (MQTT ReceiveMaximum); "
        "also bounds the memory used while the database is down.",
    )
    clock_skew_max: timedelta = Field(
        default=timedelta(minutes=5),
        ge=timedelta(0),
        le=timedelta(days=1),
        description="How far ahead of the centre's clock a capture time may lie. Beyond it "
        "the event goes to quarantine.",
    )
    event_age_max: timedelta = Field(
        default=timedelta(days=366),
        ge=timedelta(days=1),
        le=timedelta(days=36_500),
        description="How old a capture time may be. Older events go to quarantine.",
    )
    recording_age_max: timedelta = Field(
        default=timedelta(days=7305),
        ge=timedelta(days=1),
        le=timedelta(days=36_500),
        description="The same for replayed recordings, whose time is not a device's clock; "
        "at least as long as for live events.",
    )
    late_after: timedelta = Field(
        default=LATE_AFTER,
        ge=timedelta(seconds=1),
        le=timedelta(days=1),
        description="An event that is older when it is stored counts as late and raises no live "
        "alert, whatever its device says. Higher: alerts after longer trouble, later; lower: "
        "devices with slow clocks raise none.",
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="Loopback port of ingest's Prometheus metrics; 0 switches them off.",
    )

    @property
    def time_limits(self) -> TimeLimits:
        """Which capture times are believed."""
        return TimeLimits(
            skew_max=self.clock_skew_max,
            age_max=self.event_age_max,
            recording_age_max=max(self.recording_age_max, self.event_age_max),
            late_after=self.late_after,
        )


class JobsSettings(_Section):
    """Periodic work and how long things are kept."""

    device_silent_after: timedelta = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=5),
        le=timedelta(days=1),
        description="Without a heartbeat for this long a device counts as silent.",
    )
    outbox_age_max: timedelta = Field(
        default=timedelta(days=7),
        ge=timedelta(minutes=10),
        le=timedelta(days=366),
        description="For how long an event may wait in a device. A number that is missed for "
        "longer counts as lost and raises the alarm. Higher: long outages alarm later.",
    )
    heartbeat_keep: timedelta = Field(
        default=timedelta(days=7),
        ge=timedelta(hours=1),
        le=timedelta(days=366),
        description="How long the per-minute heartbeat history is kept.",
    )
    feed_keep: timedelta = Field(
        default=timedelta(hours=6),
        ge=timedelta(minutes=10),
        le=timedelta(days=30),
        description="How far back a live page can catch up after it lost its link.",
    )
    concurrency: int = Field(default=4, ge=1, le=32, description="Jobs that run at a time.")
    audit_roots_folder: Path | None = Field(
        default=None, description="Folder for the audit log's daily roots, a file for each day."
    )


class OfficeSettings(_Section):
    """Who takes dossiers in, as receipts and decisions name it."""

    agency_code: str = Field(
        default="H15",
        pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,3}){0,3}$",
        description="Identifier of the agency, the first part of a dossier's code. The default is "
        "the province Đắk Lắk; the agency's own one has to be set.",
    )
    name: str = Field(
        default="Trung tâm Phục vụ hành chính công tỉnh",
        min_length=1,
        max_length=200,
        description="Name of the centre that takes dossiers in.",
    )
    authority: str = Field(
        default="Sở Xây dựng",
        min_length=1,
        max_length=200,
        description="Name of the authority that decides.",
    )
    place: str = Field(
        default="",
        max_length=100,
        description="Place in front of the date on papers, such as the province's name.",
    )
    address: str = Field(
        default="", max_length=300, description="Address of the centre, for the receipt."
    )
    phone: str = Field(
        default="", max_length=40, description="Telephone of the centre, for the receipt."
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+$",
        description="Address of the citizens' pages without a path; receipts bear it as QR code. "
        "Without it the QR code holds the dossier's code alone.",
    )


class TollingSettings(_Section):
    """How passages and tag reads of toll lanes find each other."""

    match_window: timedelta = Field(
        default=timedelta(seconds=10),
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=2),
        description="Furthest apart that a passage and its tag read may lie. Higher: worse clocks "
        "are forgiven, and in dense traffic a vehicle may meet its neighbour's tag.",
    )
    settle_after: timedelta = Field(
        default=timedelta(seconds=12),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=10),
        description="How long a tag and a plate that do not agree wait for a better partner before "
        "a person is asked; at least the window.",
    )
    wait: timedelta = Field(
        default=timedelta(seconds=30),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="How long a passage without tag, or a tag without passage, waits before a "
        "person is asked; at least as long as the time before.",
    )

    @model_validator(mode="after")
    def _has_order(self) -> Self:
        if not self.match_window <= self.settle_after <= self.wait:
            raise ValueError("need match_window <= settle_after <= wait")
        return self


class DeviceAuthoritySettings(_Section):
    """The authority of devices' certificates; both files or none."""

    ca_key_file: Path | None = Field(
        default=None, description="Its private key (PEM, readable by its owner only)."
    )
    ca_certificate_file: Path | None = Field(default=None, description="Its certificate (PEM).")
    revocation_file: Path | None = Field(
        default=None, description="List of revoked certificates that the broker reads (PEM)."
    )

    def required_files(self) -> tuple[Path, Path]:
        """Key and certificate.

        Raises:
            SettingsError: One of them is not set.
        """
        if self.ca_key_file is None or self.ca_certificate_file is None:
            raise SettingsError("…DEVICES__CA_KEY_FILE and …CA_CERTIFICATE_FILE are needed")
        return self.ca_key_file, self.ca_certificate_file


class DocumentsSettings(_Section):
    """The key that papers are signed with; all three files or none."""

    signing_key_file: Path | None = Field(
        default=None,
        description="Private key that signs papers (PEM, no passphrase, readable by its owner "
        "only). Without it no badge can be given out as a document.",
    )
    signing_certificate_file: Path | None = Field(
        default=None, description="Certificate of the signing key (PEM)."
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificate of the authority that issued the signing certificate (PEM); "
        "signatures of its signers are trusted.",
    )

    rsa_bits_min: int = Field(
        default=3072,
        ge=2048,
        le=16_384,
        description="Shortest RSA key of the signing certificate and its authority. 3072 bits are "
        "as strong as 128; lower it only where the authority issues no longer keys yet.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Stop when a key has no certificate or the reverse."""
        files = (self.signing_key_file, self.signing_certificate_file, self.ca_file)
        if None in files[:2] and any(files[:2]):
            raise ValueError("a signing key needs its certificate, and the reverse")
        if self.signing_key_file is not None and self.ca_file is None:
            raise ValueError("a signing key needs the certificate of its authority")
        return self


class MailProtection(StrEnum):
    """How the link to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class NotifySettings(_Section):
    """How notices leave the house.

    Without a mail server they stand on the citizens' page only, and no e-mail is queued.
    """

    smtp_host: str | None = Field(
        default=None, min_length=1, description="Mail server; without it no e-mail is sent."
    )
    smtp_port: Port = Field(default=587, description="TCP port of the mail server.")
    smtp_protection: MailProtection = Field(
        default=MailProtection.STARTTLS,
        description="How the link is protected; none is for a server on the same machine.",
    )
    smtp_ca_file: Path | None = Field(
        default=None,
        description="CA certificates for the mail server (PEM); without it the system's.",
    )
    smtp_username: str | None = Field(default=None, description="User at the mail server.")
    smtp_password_file: Path | None = Field(
        default=None, description="File whose first line is the password at the mail server."
    )
    sender: str = Field(
        default="khong-tra-loi@localhost",
        pattern=r"^[^\s<>@]+@[^\s<>@]+$",
        description="Address that e-mails come from.",
    )
    smtp_timeout: timedelta = Field(
        default=timedelta(seconds=20),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=5),
        description="Longest wait for each answer of the mail server.",
    )


class CentralSettings(BaseSettings):
    """Everything that a central process can be told.

    Secrets are never values here: they stand in files that the settings name.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    database_url: str = Field(
        pattern=r"^postgres(ql)?://",
        description="Address of the database, without a password.",
    )
    database_password_file: Path | None = Field(
        default=None,
        description="File whose first line is the database password; not needed on a socket.",
    )
    evidence_folder: Path = Field(
        default=Path("evidence"), description="Folder of the content-addressed evidence store."
    )
    broker: BrokerSettings | None = Field(
        default=None, description="The MQTT broker; needed by ingest only."
    )
    ingest: IngestSettings = Field(default=IngestSettings(), description="Ingest.")
    devices: DeviceAuthoritySettings = Field(
        default=DeviceAuthoritySettings(), description="Certificates of devices."
    )
    jobs: JobsSettings = Field(default=JobsSettings(), description="Periodic jobs.")
    retention: RetentionSettings = Field(
        default=RetentionSettings(), description="How long passages and pictures are kept."
    )
    relatives_key_file: Path | None = Field(
        default=None, description="Secret under which plates of officials' relatives are hashed."
    )
    tolling: TollingSettings = Field(default=TollingSettings(), description="Toll crossings.")
    office: OfficeSettings = Field(
        default=OfficeSettings(), description="Who takes dossiers in and decides."
    )
    documents: DocumentsSettings = Field(
        default=DocumentsSettings(), description="Signatures on papers."
    )
    notify: NotifySettings = Field(default=NotifySettings(), description="Notices by e-mail.")
    webhooks: WebhookSettings = Field(default=WebhookSettings(), description="Webhooks.")
    national: NationalSettings = Field(
        default=NationalSettings(), description="Handing figures up to a national centre."
    )
    log_level: str = Field(
        default="info",
        pattern=r"^(debug|info|warning|error)$",
        description="Least important log line that is written.",
    )

    def required_broker(self) -> BrokerSettings:
        """The broker's settings.

        Raises:
            SettingsError: They are missing.
        """
        if self.broker is None:
            raise SettingsError(f"ingest needs {ENV_PREFIX}BROKER__HOST and …PASSWORD_FILE")
        return self.broker


def read_settings() -> CentralSettings:
    """Read the settings from the environment.

    Raises:
        SettingsError: A setting is missing or wrong; names it without showing its value.
    """
    try:
        return CentralSettings()
    except ValidationError as error:
        problems = "; ".join(
            f"{ENV_PREFIX}{'__'.join(str(part) for part in problem['loc']).upper()}: "
            f"{problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(problems) from error


def read_secret(path: Path) -> str:
    """First line of a secret's file, without the line end.

    Raises:
        SettingsError: The file can't be read, or its first line is empty.
    """
    try:
        with path.open(encoding="utf-8") as file:
            secret = file.readline(SECRET_BYTES_MAX).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"can't read the secret file {path.name}") from error
    if not secret:
        raise SettingsError(f"the secret file {path.name} is empty")
    return secret
