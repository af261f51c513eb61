// Package controller sets up the controllers of all kinds: what wakes them, what the cache keeps, and what is measured of
// all objects.
package controller
