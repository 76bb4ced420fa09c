"""From hits to an answer in which every sentence was checked."""
