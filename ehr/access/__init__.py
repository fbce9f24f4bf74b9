"""Who may see and write which rows: decisions turned into SQL."""
