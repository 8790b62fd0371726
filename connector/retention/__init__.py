"""How long a lab keeps its cases: retention, legal hold, a patient's data exported or removed."""
