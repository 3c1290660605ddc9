"""From schemas to C, TypeScript and documents."""
