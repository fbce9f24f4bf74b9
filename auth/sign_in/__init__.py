"""Accounts and signing in: passwords, second factors, passkeys, tries, and sessions."""
