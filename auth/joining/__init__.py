"""How people get an account, or into theirs from elsewhere: invitations and other providers."""
