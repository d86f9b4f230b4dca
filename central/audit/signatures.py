# SPDX-License-Identifier: AGPL-3.0-or-later
"""The house's signature over bytes that are kept as files: daily roots, daily statements.

It is made with the key that papers are signed with: one key to guard, and a certificate by which
anybody outside can tell whose it is.
"""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_pem_private_key


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseKey:
    """The key of the house, and its certificate.

    Attributes:
        private_key_pem: Without a passphrase.
        certificate_pem: Of this key.
    """

    private_key_pem: bytes = field(repr=False)
    certificate_pem: str

    def sign(self, content: bytes) -> bytes:
        """A signature over some bytes.

        Raises:
            ValueError: The key is of a kind that is not used for signing here.
        """
        key = load_pem_private_key(self.private_key_pem, password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(content, ec.ECDSA(hashes.SHA256()))
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(content, PKCS1v15(), hashes.SHA256())
        if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return key.sign(content)
        raise ValueError("the house signs with an elliptic-curve or RSA key")


def is_signed(
    content: bytes,
    *,
    signature: bytes,
    certificate_pem: str,
    trusted_ca: x509.Certificate | None,
) -> bool:
    """Whether a signature over some bytes fits its certificate.

    Args:
        content: What was signed.
        signature: As ``HouseKey.sign`` made it.
        certificate_pem: Of the signer.
        trusted_ca: Must have issued the certificate; ``None`` believes the certificate itself,
            which shows that the bytes were not changed and not who signed them.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        if trusted_ca is not None:
            certificate.verify_directly_issued_by(trusted_ca)
        key = certificate.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, content, PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, content)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def signer_name(certificate_pem: str) -> str:
    """Name in a certificate.

    Raises:
        ValueError: It is no certificate.
    """
    return x509.load_pem_x509_certificate(certificate_pem.encode()).subject.rfc4514_string()
