"""Where passages are embedded: one small contract, fulfilled by this process or by workers elsewhere."""
