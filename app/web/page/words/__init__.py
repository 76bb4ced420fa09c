"""Every word of the page, in English and Chinese. Pure; imports nothing of ours."""
