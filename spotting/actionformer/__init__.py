"""The second detector of spotting: ActionFormer's form with TriDet's boundary head, on the same frame tokens."""
