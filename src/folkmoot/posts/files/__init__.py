"""Files of posts: what somebody uploaded, or cut from a Space."""
