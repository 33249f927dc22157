-- Stores a deployment; one of the same id takes the place of the older one.
-- Parameters: $id, $adapter_id, $quantisation, $path, $endpoint, $parity
insert or replace into deployment values ($id, $adapter_id, $quantisation, $path, $endpoint, $parity, now())
