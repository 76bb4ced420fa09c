"""From hits to an answer whose every sentence was checked."""
