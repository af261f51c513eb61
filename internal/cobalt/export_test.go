package cobalt

// ReadAtMost has lists of a client end after so many pages: as many as it reads would take a test too long.
func (c *Client) ReadAtMost(pages int) { c.maxPages = pages }
