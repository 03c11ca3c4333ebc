export default { test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] } };
