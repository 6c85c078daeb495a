"""What a handler's parameters take: binding, conversion by annotations, objects with fields."""
