"""The operator looks into a lab's cases: for a reason, for a while, and the lab is told. Nothing is taken along."""
