package main

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// lazyLogging has what a logger adds to its lines be encoded when the first of them is
// written: each reconcile has a logger of its own, and hardly any has something to say.
var lazyLogging = zap.WrapCore(func(core zapcore.Core) zapcore.Core { return lazyCore{core} })

type lazyCore struct{ zapcore.Core }

// With returns a core that adds fields.
func (c lazyCore) With(fields []zapcore.Field) zapcore.Core {
	return lazyCore{zapcore.NewLazyWith(c.Core, fields)}
}
