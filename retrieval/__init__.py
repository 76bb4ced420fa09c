"""What the writer and the reader of the index must agree on: posts, passages, scores, stores; and the read path."""
