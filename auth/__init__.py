"""Who is calling and what they may do. Never imports the record (`ehr`)."""
