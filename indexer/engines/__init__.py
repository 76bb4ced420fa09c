"""Where passages are embedded: one small promise, kept by this process or by workers elsewhere."""
