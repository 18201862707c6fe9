package httpapi

import "context"

type callerKey struct{}

// WithCaller says who makes a request, by the ARN that signed it: changes are kept with it. Empty is nobody in particular.
func WithCaller(ctx context.Context, arn string) context.Context {
	return context.WithValue(ctx, callerKey{}, arn)
}

func callerOf(ctx context.Context) string {
	arn, _ := ctx.Value(callerKey{}).(string)
	return arn
}
