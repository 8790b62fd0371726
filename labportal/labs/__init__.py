"""People and labs: who may come in, which lab they act for, and the wall between labs."""
