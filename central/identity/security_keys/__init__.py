# SPDX-License-Identifier: AGPL-3.0-or-later
"""Security keys and passkeys (W3C WebAuthn) as second factors of people in the console."""
