"""What happened as events: requests of the record, and what `auth` tells of."""
