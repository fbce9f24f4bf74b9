"""What opens a row: whose it is, relationship, labels and consent, as SQL."""
