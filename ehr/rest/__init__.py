"""HTTP: parsing requests into Interactions, rendering Results. Knows Flask, never SQL."""
