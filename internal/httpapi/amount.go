package httpapi

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blox/blox/client"
)

// amount describes client.Amount: text, or a number. Which ones are allowed is checked by us, for the schema could only say
// that it is neither.
type amount struct{}

// Schema describes both forms.
func (amount) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeInteger}}}
}

func describeAmounts(schemas huma.Registry) {
	schemas.RegisterTypeAlias(reflect.TypeFor[client.Amount](), reflect.TypeFor[amount]())
}
