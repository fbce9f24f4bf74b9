"""Who may do what to which type of resource: the roles, their table, and how it is read.

The table says what a role may at most. Scopes, the relationship with the patient, labels, consent
and the rules of single elements each take away from it; nothing adds to it.
"""
