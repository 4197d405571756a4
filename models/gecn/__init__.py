"""GE-CN: an attention graph network on joints (InfoGCN with the micro-gesture skeletons)."""
