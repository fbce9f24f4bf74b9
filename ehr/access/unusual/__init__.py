"""Whose looks into records deserve a second look: staff who look up themselves, family, neighbours.

Each look is lawful by itself, so that nothing is refused; a privacy officer asks. What is compared
stands in Practitioner and Patient: an identifier or name and birth date (oneself), the family name,
the address. Beside that, records that somebody opened without any other relationship, and people
who opened many.
"""
