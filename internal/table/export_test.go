package table

// ShardOf lets tests choose ids that share a partition.
var ShardOf = shardOf
