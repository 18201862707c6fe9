package memory

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/blox/blox/internal/dynamo/attr"
)

// Quotas a table. That of global indexes can be raised, that of local ones not.
const (
	maxGlobalIndexes = 20
	maxLocalIndexes  = 5
)

func invalidIndex(format string, args ...any) error {
	return attr.Invalid("One or more parameter values were invalid: " + fmt.Sprintf(format, args...))
}

// newIndexes checks and builds the indexes of a table with the key base: the
// global ones, then the local ones.
func newIndexes(in *dynamodb.CreateTableInput, kinds map[string]attr.Type, base schema) ([]*index, error) {
	global, local := in.GlobalSecondaryIndexes, in.LocalSecondaryIndexes
	switch {
	case global != nil && len(global) == 0:
		return nil, invalidIndex("List of GlobalSecondaryIndexes is empty")
	case local != nil && len(local) == 0:
		return nil, invalidIndex("List of LocalSecondaryIndexes is empty")
	case len(global) > maxGlobalIndexes:
		return nil, invalidIndex("GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes)
	case len(local) > maxLocalIndexes:
		return nil, invalidIndex("Number of LocalSecondaryIndexes exceeds per-table limit of %d", maxLocalIndexes)
	case len(local) > 0 && base.sort.name == "":
		return nil, invalidIndex("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
	}
	var out []*index
	add := func(name *string, keys []types.KeySchemaElement, projection *types.Projection) (*index, error) {
		ix, err := newIndex(name, keys, projection, kinds, base)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(other *index) bool { return other.name == ix.name }) {
			return nil, invalidIndex("Duplicate index name: %s", ix.name)
		}
		out = append(out, ix)
		return ix, nil
	}
	for _, g := range global {
		if _, err := add(g.IndexName, g.KeySchema, g.Projection); err != nil {
			return nil, err
		}
	}
	for _, l := range local {
		ix, err := add(l.IndexName, l.KeySchema, l.Projection)
		if err != nil {
			return nil, err
		}
		if err := ix.makeLocal(base); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func newIndex(
	name *string, keys []types.KeySchemaElement, projection *types.Projection, kinds map[string]attr.Type, base schema,
) (*index, error) {
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	s, err := newSchema(keys, kinds)
	if err != nil {
		return nil, err
	}
	projects, err := projected(projection, s, base)
	if err != nil {
		return nil, err
	}
	return &index{
		name: *name, schema: s, entries: partitions{}, projects: projects,
		projection: types.Projection{
			ProjectionType: projection.ProjectionType, NonKeyAttributes: slices.Clone(projection.NonKeyAttributes),
		},
	}, nil
}

// makeLocal makes an index one of the partitions of the table with the key base,
// which it must share.
func (ix *index) makeLocal(base schema) error {
	switch {
	case ix.schema.sort.name == "":
		return invalidIndex("Index KeySchema does not have a range key for index: %s", ix.name)
	case ix.schema.hash.name != base.hash.name:
		return invalidIndex("Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. "+
			"index hash key: %s, table hash key: %s", ix.name, ix.schema.hash.name, base.hash.name)
	}
	ix.local = true
	return nil
}

// projected returns the attributes an index holds, nil for all: its own key and
// the table's always, and what is included.
func projected(p *types.Projection, own, base schema) (map[string]bool, error) {
	if p == nil || p.ProjectionType == "" || checkEnum("projectionType", p.ProjectionType, p.ProjectionType.Values()...) != nil {
		return nil, invalidIndex("Unknown ProjectionType: null")
	}
	switch include := p.ProjectionType == types.ProjectionTypeInclude; {
	case include && len(p.NonKeyAttributes) == 0:
		return nil, invalidIndex("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	case !include && len(p.NonKeyAttributes) > 0:
		return nil, invalidIndex("ProjectionType is %s, but NonKeyAttributes is specified", p.ProjectionType)
	case p.ProjectionType == types.ProjectionTypeAll:
		return nil, nil
	}
	out := map[string]bool{}
	for _, s := range []schema{own, base} {
		for _, a := range s.attributes() {
			out[a.name] = true
		}
	}
	for _, name := range p.NonKeyAttributes {
		out[name] = true
	}
	return out, nil
}
