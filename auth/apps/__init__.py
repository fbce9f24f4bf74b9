"""Apps and systems: what is registered of them, and how they prove who they are."""
